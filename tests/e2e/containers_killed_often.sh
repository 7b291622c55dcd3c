#!/bin/bash
# The same, a hundred times.
ROUNDS=${ROUNDS:-100}
. "$(dirname "$0")/containers_killed.sh"
