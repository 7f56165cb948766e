#include "core/replica_refusal.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::core {
namespace {

TEST(ReplicaRefusal,
     WhatWouldStayOnAReplicaOrActOnItsMachineIsRefused) {  // A19, C14, C15, C17, C20
  for (const char* sql : {"SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_xact_lock(1)",
                          "SELECT relname FROM pg_class WHERE pg_try_advisory_xact_lock(1)",
                          "COPY (SELECT 1) TO '/tmp/x'", "SELECT 1; COPY t TO PROGRAM 'cat'",
                          "CHECKPOINT", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "LOAD 'x'",
                          "PREPARE p AS SELECT 1", "SELECT 1; PREPARE p AS SELECT 1"}) {
    const auto refusal = replica_refusal(sql::classify(sql));
    ASSERT_TRUE(refusal) << sql;
    EXPECT_EQ(refusal->code, ErrorCode::kReadOnlyTransaction) << sql;
    EXPECT_TRUE(refusal->message.ends_with(" in a read-only transaction that reads from a replica"))
        << sql;
  }
}

TEST(ReplicaRefusal, WhatEndsWithTheTransactionOrTheReplicaItselfRefusesIsNot) {  // B3
  for (const char* sql :
       {"SELECT 1", "INSERT INTO t VALUES (1)", "SELECT pg_advisory_unlock_all()",
        "DECLARE c CURSOR FOR SELECT 1", "FETCH c", "COPY t TO STDOUT", "EXECUTE p", "DEALLOCATE p",
        "SET LOCAL x = 1", "SAVEPOINT a", "VACUUM", "EXPLAIN SELECT pg_advisory_lock(1)", "COMMIT"})
    EXPECT_FALSE(replica_refusal(sql::classify(sql))) << sql;
}

}  // namespace
}  // namespace fairlead::core
