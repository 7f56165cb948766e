"""Fairlead beside PgBouncer: starts real servers, loads both proxies in turn, and holds what it measured to its bounds.

Clusters, proxies and the protocol are those of the acceptance tests.
"""
import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(_ROOT, "tests", "acceptance"))
