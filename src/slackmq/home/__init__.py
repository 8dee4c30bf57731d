"""A dashboard on the app's Home tab: queues, workers, what is dead, with buttons for who may."""
