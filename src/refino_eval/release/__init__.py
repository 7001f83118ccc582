"""Results that leave: protected releases with their records, and replication packages."""
