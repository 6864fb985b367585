"""What all sides of the page look up in."""

SOURCE_MAP = b"""{
  "version": 3,
  "sources": ["add.js"],
  "sourcesContent": ["function add(a, b) {\\n  return a + b;\\n}\\n"],
  "names": ["add"],
  "mappings": "AAAA,SAASA,WACP"
}"""
SCRIPT = b"function n(n,d){return n+d}\n"
