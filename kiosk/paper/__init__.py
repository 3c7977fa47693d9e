"""Paper: the certificate, the ticket, and the folder where finished pages go."""
