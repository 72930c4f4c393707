"""The proxies that are measured against each other."""

from suite.sides.caddy import Caddy
from suite.sides.haproxy import (AclHaproxy, BareLimitHaproxy, BareMapHaproxy, LimitHaproxy,
                                 MapHaproxy, SameLimitHaproxy, SameMapHaproxy)
from suite.sides.nginx import Nginx
from suite.sides.swarmgate import OnceSwarmgate, Swarmgate

# Sides take turns in this order: those whose ratio to Swarmgate matters most stand around it.
ALL = (LimitHaproxy, MapHaproxy, Swarmgate, OnceSwarmgate, SameMapHaproxy, SameLimitHaproxy, Nginx,
       Caddy, AclHaproxy, BareLimitHaproxy, BareMapHaproxy)
# With one route, and with all of them: the one that goals are judged by comes first.
BY_HAND = (LimitHaproxy, SameLimitHaproxy, BareLimitHaproxy,
           MapHaproxy, SameMapHaproxy, BareMapHaproxy)
# What headers and repeating cost is the same however a route is found.
VARIANTS = (OnceSwarmgate, SameLimitHaproxy, BareLimitHaproxy, SameMapHaproxy, BareMapHaproxy)
# Those that load their whole configuration anew at a change.
RELOADING = (AclHaproxy, Nginx, Caddy)
