"""The web application: pages rendered here, over the same services as the API.

A page never shows what the API would refuse, because both ask the same service with the same caller. Every page works
without JavaScript, has a JSON twin at `<path>.json`, and treats whatever came out of an event as hostile text.
"""
