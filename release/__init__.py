"""What a release needs beside its code: an audit of its dependencies, and a signed list of them."""
