"""What must exist in an account before the first `pulumi up`: a state bucket, a key for secrets, a deploy role.

`wanted` says what that is and `permissions` what the role may do, both as data; `key`, `bucket` and `role` look at the
account and change what differs; `bootstrap` puts them in order.
"""
