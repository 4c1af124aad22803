"""What the feed corrects, reports twice, counts late or leaves open, and what that makes of a match."""
