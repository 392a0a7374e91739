"""What puts mangping on machines: the offline bundle, compose.yaml, systemd units, proxies."""
