"""Files of people and of units on their way in.

fields    what columns can hold, and how their texts are read
people    rows of people: checked, matched to those who are known, written
units     rows of units: checked, put in order, written
batches   one import from its file to its end: brought, read, shown, taken in or dropped
words     what faults say on pages
pages     what the pages of all imports share
views     the import of units
"""
