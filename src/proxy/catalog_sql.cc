// The questions of catalog_query.h. For PostgreSQL 13 and newer; every relation read here is open
// to everybody, and none of it locks a table of the user's.
#include "proxy/catalog_query.h"

namespace fairlead::proxy {

// Everything that the answers below depend on, as sums over who wrote each row last. What cannot
// change without one of these rows changing is left out: an aggregate has a row of pg_proc, a CHECK
// of a domain one of pg_constraint. Of a table the name counts, not what TRUNCATE and VACUUM FULL
// change. Temporary relations are left out: they come and go by the second. On the server 2.5 ms
// for an empty database, and 25 ms on a busy machine for one of 11,000 relations, 1,000 of them
// views, and 500 functions; its dependencies take 230 ms.
const std::string_view kCatalogMarkSql = R"(
SELECT (SELECT count(*) || '.' || max(oid::int8) || '.'
               || sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_proc),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_class
         WHERE (relkind IN ('f', 'S', 'v', 'p') OR relpersistence = 'u' OR relrowsecurity
                OR relhassubclass) AND relpersistence <> 't'),
       (SELECT sum(hashint8extended(xmin::text::int8, inhrelid::int8)) FROM pg_inherits),
       (SELECT sum(hashint8extended(r.xmin::text::int8, r.oid::int8))
          FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
         WHERE r.oid >= 16384 AND c.relpersistence <> 't'),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_policy),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_operator
         WHERE oid >= 16384),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_cast
         WHERE oid >= 16384),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_type
         WHERE oid >= 16384 AND typtype IN ('b', 'd', 'r') AND typelem = 0),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_constraint
         WHERE contypid > 0 OR contype = 'c'
            OR contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_amproc
         WHERE oid >= 16384),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_amop
         WHERE oid >= 16384),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_language),
       (SELECT sum(hashint8extended(xmin::text::int8, objid::int8)) FROM pg_depend
         WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_proc'::regclass),
       (SELECT sum(hashint8extended(hashtext(relname::text), oid::int8)) FROM pg_class
         WHERE relkind IN ('r', 'p', 'm', 'f', 'v') AND relpersistence <> 't'),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_trigger
         WHERE NOT tgisinternal),
       (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_attrdef),
       (SELECT sum(hashint8extended(xmin::text::int8, indexrelid::int8)) FROM pg_index
         WHERE indexprs IS NOT NULL OR indpred IS NOT NULL))";

// Built in is what initdb made: a function that a superuser puts into pg_catalog later has an oid
// from 16384 (FirstNormalObjectId) on and is nobody's reviewed code.
//
// An aggregate's own row says immutable and internal, whatever its support functions do, so these
// count under the aggregate's name and oid, too (A41). PostgreSQL's own aggregates have harmless
// ones. Sources tell which functions leave the session as it was; they are not asked for where they
// would be too much to hold.
const std::string_view kFunctionsSql = R"(
WITH function AS (
  SELECT p.oid, p.proname, p.provolatile, l.lanname, e.extname, p.prokind,
         n.nspname = 'pg_catalog' AND p.oid < 16384 AND e.extname IS NULL AS is_builtin,
         CASE WHEN p.oid >= 16384 AND l.lanname IN ('sql', 'plpgsql')
                   AND octet_length(p.prosrc) <= 65536 AND sources.size <= 33554432
              THEN p.prosrc END AS source
    FROM (SELECT sum(octet_length(prosrc)) FROM pg_proc WHERE oid >= 16384) sources(size),
         pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_namespace n ON n.oid = p.pronamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid)
(SELECT proname, provolatile, lanname, is_builtin, extname, prokind = 'p', oid, source
   FROM function
 UNION ALL
 SELECT a.proname, s.provolatile, s.lanname, s.is_builtin, s.extname, false, a.oid,
        s.source
   FROM pg_aggregate g
   JOIN pg_proc a ON a.oid = g.aggfnoid AND a.oid >= 16384
   JOIN function s ON s.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn,
                                g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))
LIMIT 250001)";

// pg_depend does not list built-in functions and relations, which are pinned, so that a view of
// nextval() would look harmless: the stored trees are searched instead (pg_node_tree; the names of
// the fields are those of primnodes.h and parsenodes.h). A text inside a tree has its spaces
// escaped and cannot pass for a field. About 0.7 ms for a view of 18 KB of tree (four joins, a
// window), 0.1 ms for a plain one; only a changed mark pays for it. No groups are captured, which
// would cost three times as much.
//
// What stands below 16384 was made by initdb: its operators, casts, types and operator classes call
// nothing that writes (catalog_test.cc asks), so only what was added is looked at. The
// handlers of TABLESAMPLE BERNOULLI and SYSTEM are VOLATILE by label, and harmless. The planner may
// replace an operator by its commutator or negator, so these count under each other's names. Of
// what writes evaluate, only what was added counts, and currval() and lastval(): 1575 and 2559.
const std::string_view kDependenciesSql = R"(
WITH RECURSIVE operator_call(operator, function) AS (
  SELECT o.oid, called.oid
    FROM pg_operator o, unnest(ARRAY[o.oprcode, o.oprrest, o.oprjoin]::oid[]) called(oid)
   WHERE o.oid >= 16384 AND called.oid <> 0
  UNION
  SELECT o.oid, c.function
    FROM operator_call c JOIN pg_operator o ON c.operator IN (o.oprcom, o.oprnegate)),
tree(kind, holder, name, body) AS (
  SELECT 'v', c.oid, c.relname::text, r.ev_action::text
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
   WHERE r.ev_type = '1' AND c.relkind = 'v' AND c.oid >= 16384 AND c.relpersistence <> 't'
  UNION ALL
  SELECT 'p', c.oid, c.relname::text, p.polqual::text
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
   WHERE p.polcmd IN ('*', 'r') AND p.polqual IS NOT NULL AND c.relrowsecurity
  UNION ALL
  SELECT 'f', oid, proname::text, proargdefaults::text FROM pg_proc
   WHERE proargdefaults IS NOT NULL AND oid >= 16384
  UNION ALL
  SELECT 'd', contypid, format_type(contypid, NULL), conbin::text FROM pg_constraint
   WHERE contypid >= 16384 AND conbin IS NOT NULL
  UNION ALL
  SELECT 'w', c.oid, c.relname::text, r.ev_qual::text || r.ev_action::text
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
   WHERE (r.ev_type <> '1' OR c.relkind = 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
  UNION ALL
  SELECT 'e', c.oid, c.relname::text, written.body
    FROM (SELECT adrelid, adbin::text FROM pg_attrdef
          UNION ALL
          SELECT conrelid, conbin::text FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
          UNION ALL
          SELECT polrelid, polwithcheck::text FROM pg_policy WHERE polwithcheck IS NOT NULL
          UNION ALL
          SELECT polrelid, polqual::text FROM pg_policy WHERE polqual IS NOT NULL
          UNION ALL
          SELECT indrelid, concat(indexprs::text, indpred::text) FROM pg_index
           WHERE indexprs IS NOT NULL OR indpred IS NOT NULL) written(relation, body)
    JOIN pg_class c ON c.oid = written.relation AND c.oid >= 16384 AND c.relpersistence <> 't'),
field AS (
  SELECT DISTINCT kind, holder, name, found[1] AS field
    FROM tree, regexp_matches(body, ':(?:relid|funcid|aggfnoid|winfnoid|tsmhandler|'
           'startInRangeFunc|endInRangeFunc|opnos?|eqop|sortop) (?:\(o )?[0-9 ]+', 'g') found),
mention AS (
  SELECT DISTINCT kind, holder, name, ltrim(split_part(field, ' ', 1), ':') AS field,
         one::oid AS oid
    FROM field, unnest(string_to_array(replace(substr(field, strpos(field, ' ') + 1), '(o ', ''), ' ')) one
   WHERE one NOT IN ('', '0') AND (kind <> 'e' OR one::oid >= 16384 OR one::oid IN (1575, 2559))),
reference AS (
  SELECT kind, holder, name, oid AS function, NULL::oid AS relation FROM mention
   WHERE field NOT IN ('relid', 'opno', 'opnos', 'eqop', 'sortop')
     AND NOT (field = 'tsmhandler' AND oid < 16384)
  UNION ALL
  SELECT kind, holder, name, NULL, oid FROM mention WHERE field = 'relid'
  UNION ALL
  SELECT m.kind, m.holder, m.name, c.function, NULL
    FROM mention m JOIN operator_call c ON c.operator = m.oid
   WHERE m.field IN ('opno', 'opnos', 'eqop', 'sortop')
  UNION ALL
  SELECT CASE relkind WHEN 'f' THEN 'r' ELSE 'x' END, oid, relname::text, NULL, NULL FROM pg_class
   WHERE (relkind IN ('f', 'S') OR relpersistence = 'u' AND relkind IN ('r', 'p', 'm'))
     AND relpersistence <> 't'
  UNION ALL
  SELECT 'i', c.oid, c.relname::text, NULL, i.inhrelid
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent AND c.relkind IN ('r', 'p', 'f')
  UNION ALL
  SELECT 'n', oid, relname::text, NULL, NULL FROM pg_class
   WHERE relkind IN ('r', 'p', 'm', 'f', 'v') AND oid >= 16384 AND relpersistence <> 't'
  UNION ALL
  SELECT 'g', c.oid, c.relname::text, t.tgfoid, NULL
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.oid >= 16384
  UNION ALL
  SELECT 'k', c.oid, c.relname::text, NULL, k.conrelid
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid
   WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
  UNION ALL
  SELECT 'o', 0, o.oprname::text, c.function, NULL
    FROM operator_call c JOIN pg_operator o ON o.oid = c.operator
  UNION ALL
  SELECT 'c', oid, 'from ' || format_type(castsource, NULL) || ' to '
                   || format_type(casttarget, NULL), castfunc::oid, NULL
    FROM pg_cast WHERE castfunc::oid >= 16384
  UNION ALL
  SELECT 't', t.oid, format_type(t.oid, NULL), called.oid, NULL
    FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid,
         unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout,
                      r.rngcanonical, r.rngsubdiff]::oid[]) called(oid)
   WHERE called.oid >= 16384 AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
  UNION ALL
  SELECT 'a', 0, f.opfname::text, called.oid, NULL
    FROM pg_opfamily f
    JOIN (SELECT amprocfamily AS family, amproc::oid AS oid FROM pg_amproc
          UNION
          SELECT a.amopfamily, c.function
            FROM pg_amop a JOIN operator_call c ON c.operator = a.amopopr) called
      ON called.family = f.oid AND called.oid >= 16384)
SELECT kind, holder, name, string_agg(DISTINCT function::text, ' '),
       string_agg(DISTINCT relation::text, ' ')
  FROM reference GROUP BY kind, holder, name LIMIT 250001)";

}  // namespace fairlead::proxy
