#!/bin/sh
# Two databases and two roles. The experts' role gets its rights from the office's service at each
# start, table by table; here it gets no more than to enter its database. PostgreSQL lets every role into
# every other database: the office does not start while that is so. Where the server has further ones,
# take CONNECT from PUBLIC on each.
set -eu
psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" \
    -v office="$OFFICE_PASSWORD" -v experts="$EXPERTS_PASSWORD" <<'SQL'
CREATE ROLE mangping_office LOGIN PASSWORD :'office';
CREATE ROLE mangping_experts LOGIN PASSWORD :'experts';
CREATE DATABASE mangping_vault OWNER mangping_office ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE mangping_review OWNER mangping_office ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE mangping_vault FROM PUBLIC;
REVOKE ALL ON DATABASE mangping_review FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE mangping_review TO mangping_experts;
SQL
