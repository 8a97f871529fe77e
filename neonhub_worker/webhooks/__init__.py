"""What do platforms tell us, and what follows from it?"""
