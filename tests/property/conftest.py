"""Settings of the property tests."""

from hypothesis import settings

# A machine that is busy with a broker and a database is slow now and then; that says nothing about a property.
settings.register_profile("axis", deadline=None)
settings.load_profile("axis")
