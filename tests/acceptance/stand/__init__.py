"""What the acceptance and driver tests run against: a cluster with Fairlead in front of it, or plain PostgreSQL."""
