"""How is a claimed run carried out? Claim, settle what is in doubt, send, record."""
