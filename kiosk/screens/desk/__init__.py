"""What the staff desks are made of: forms, the visit, vaccine admin's pages."""
