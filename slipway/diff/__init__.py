"""What would change: values, and Kubernetes objects, object by object."""
