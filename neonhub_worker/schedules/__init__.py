"""When is something due again, and which instants became runs?"""
