"""What each route takes and answers: a module for each blueprint."""
