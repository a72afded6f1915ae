"""Write a contract from what is in a table and was before."""
