"""Ways out for alerts: toast, bell, terminal, desktop, services, a command of the user's."""
