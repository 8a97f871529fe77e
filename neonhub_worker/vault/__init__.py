"""Which account may we act for, and how are its secrets kept?"""
