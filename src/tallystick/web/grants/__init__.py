"""The pages of access: roles, grants, requests to decide, emergencies, and who could do something at a time."""
