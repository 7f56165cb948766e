#include "core/foreign_sequences.h"

namespace fairlead::core {

ForeignSequences::Remedy ForeignSequences::amid_transaction(bool can_ask) const {
  switch (state_) {
    case State::kNone:
    case State::kMixed:
      return Remedy::kNone;
    case State::kLeft:
      return can_ask ? Remedy::kAsk : Remedy::kRefuse;
    case State::kOnlyForeign:
      return can_ask ? Remedy::kDiscard : Remedy::kRefuse;
  }
  return Remedy::kNone;
}

}  // namespace fairlead::core
