"""The proxies that are measured against each other."""

from suite.sides.caddy import Caddy
from suite.sides.haproxy import (AclHaproxy, BareLimitHaproxy, BareMapHaproxy, LimitHaproxy,
                                 MapHaproxy)
from suite.sides.nginx import Nginx
from suite.sides.swarmgate import Swarmgate

ALL = (LimitHaproxy, MapHaproxy, Swarmgate, Nginx, Caddy, AclHaproxy, BareLimitHaproxy,
       BareMapHaproxy)
# What the headers cost is the same however a route is found.
BARE = (BareLimitHaproxy, BareMapHaproxy)
# Those that load their whole configuration anew at a change.
RELOADING = (AclHaproxy, Nginx, Caddy)
