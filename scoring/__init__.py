"""Rules and arithmetic of the review: policies, totals, votes, assignment; pure functions."""
