"""Security policies on pages: projects, what is in force, what changed, editing with approval, governed scopes."""
