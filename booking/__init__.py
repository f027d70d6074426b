"""The main job: slot, conflict, approval, visit, calendar and reports."""
