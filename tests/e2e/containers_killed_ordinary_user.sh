#!/bin/bash
# The same as an ordinary user.
as_user=yes
. "$(dirname "$0")/containers_killed.sh"
