#include "preload/stack/expression.h"

namespace seep::stack {
namespace {

// Operations of DWARF 4, section 7.7.1, as far as call frame information may use them.
enum Operation : std::uint8_t {
  kAddr = 0x03,
  kDeref = 0x06,
  kConst1u = 0x08,
  kConst1s,
  kConst2u,
  kConst2s,
  kConst4u,
  kConst4s,
  kConst8u,
  kConst8s,
  kConstu,
  kConsts,
  kDup,
  kDrop,
  kOver,
  kPick,
  kSwap,
  kRot,
  kAbs = 0x19,
  kAnd,
  kDiv,
  kMinus,
  kMod,
  kMul,
  kNeg,
  kNot,
  kOr,
  kPlus,
  kPlusUconst,
  kShl,
  kShr,
  kShra,
  kXor,
  kBra,
  kEq,
  kGe,
  kGt,
  kLe,
  kLt,
  kNe,
  kSkip,
  kLit0 = 0x30,
  kLit31 = 0x4f,
  kBreg0 = 0x70,
  kBreg31 = 0x8f,
  kBregx = 0x92,
  kDerefSize = 0x94,
  kNop = 0x96,
};

constexpr unsigned kMaxDepth = 16;
constexpr unsigned kMaxOperations = 256;

std::uint64_t as_word(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
std::int64_t as_signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

class Machine {
 public:
  Machine(const ByteCursor& block, const ExpressionInput& input)
      : code_(block), begin_(block.position()), input_(input) {
    if (input.initial != nullptr) {
      push(*input.initial);
    }
  }

  bool run(std::uint64_t& result) {
    for (unsigned count = 0; code_.ok() && !code_.at_end(); ++count) {
      if (count == kMaxOperations || !execute(code_.take<std::uint8_t>())) {
        return false;
      }
    }
    if (!code_.ok() || depth_ == 0) {
      return false;
    }
    result = stack_[depth_ - 1];
    return true;
  }

 private:
  bool execute(std::uint8_t operation) {
    if (operation >= kLit0 && operation <= kLit31) {
      return push(operation - std::uint64_t{kLit0});
    }
    if (operation >= kBreg0 && operation <= kBreg31) {
      return push_register(operation - std::uint64_t{kBreg0});
    }
    if (operation == kAddr || (operation >= kConst1u && operation <= kConsts)) {
      return push_constant(operation);
    }
    if (operation >= kDup && operation <= kRot) {
      return shuffle(operation);
    }
    if (operation == kAnd || (operation >= kDiv && operation <= kMul) || operation == kOr ||
        operation == kPlus || (operation >= kShl && operation <= kXor) ||
        (operation >= kEq && operation <= kNe)) {
      return combine(operation);
    }
    return execute_other(operation);
  }

  bool execute_other(std::uint8_t operation) {
    switch (operation) {
      case kNop:
        return true;
      case kBregx:
        return push_register(code_.take_unsigned_leb());
      case kDeref:
        return depth_ != 0 && input_.read_word(top(), top());
      case kDerefSize:
        return deref_size(code_.take<std::uint8_t>());
      case kAbs:
        return depth_ != 0 && (as_signed(top()) >= 0 || replace_top(0 - top()));
      case kNeg:
        return depth_ != 0 && replace_top(0 - top());
      case kNot:
        return depth_ != 0 && replace_top(~top());
      case kPlusUconst:
        return depth_ != 0 && replace_top(top() + code_.take_unsigned_leb());
      case kSkip:
        return jump(code_.take<std::int16_t>());
      case kBra: {
        const auto distance = code_.take<std::int16_t>();
        return depth_ != 0 && (stack_[--depth_] == 0 || jump(distance));
      }
      default:
        return false;
    }
  }

  bool push_constant(std::uint8_t operation) {
    switch (operation) {
      case kConst1u:
        return push(code_.take<std::uint8_t>());
      case kConst1s:
        return push(as_word(code_.take<std::int8_t>()));
      case kConst2u:
        return push(code_.take<std::uint16_t>());
      case kConst2s:
        return push(as_word(code_.take<std::int16_t>()));
      case kConst4u:
        return push(code_.take<std::uint32_t>());
      case kConst4s:
        return push(as_word(code_.take<std::int32_t>()));
      case kConstu:
        return push(code_.take_unsigned_leb());
      case kConsts:
        return push(as_word(code_.take_signed_leb()));
      default:
        return push(code_.take<std::uint64_t>());
    }
  }

  bool shuffle(std::uint8_t operation) {
    const unsigned needed = operation == kRot                          ? 3
                            : operation >= kOver && operation != kPick ? 2
                                                                       : 1;
    if (depth_ < needed) {
      return false;
    }
    switch (operation) {
      case kDup:
        return push(top());
      case kDrop:
        --depth_;
        return true;
      case kOver:
        return push(stack_[depth_ - 2]);
      case kPick: {
        const auto index = code_.take<std::uint8_t>();
        return index < depth_ && push(stack_[depth_ - 1 - index]);
      }
      case kSwap:
        return exchange(depth_ - 1, depth_ - 2);
      default:  // kRot: the top goes below the next two
        return exchange(depth_ - 1, depth_ - 2) && exchange(depth_ - 2, depth_ - 3);
    }
  }

  bool combine(std::uint8_t operation) {
    if (depth_ < 2) {
      return false;
    }
    const std::uint64_t right = stack_[--depth_];
    const std::uint64_t left = top();
    if (operation >= kEq && operation <= kNe) {
      return replace_top(compare(operation, as_signed(left), as_signed(right)));
    }
    return arithmetic(operation, left, right);
  }

  static std::uint64_t compare(std::uint8_t operation, std::int64_t left, std::int64_t right) {
    switch (operation) {
      case kEq:
        return left == right;
      case kGe:
        return left >= right;
      case kGt:
        return left > right;
      case kLe:
        return left <= right;
      case kLt:
        return left < right;
      default:
        return left != right;
    }
  }

  bool arithmetic(std::uint8_t operation, std::uint64_t left, std::uint64_t right) {
    switch (operation) {
      case kAnd:
        return replace_top(left & right);
      case kDiv:
        return right != 0 && !(right == UINT64_MAX && as_signed(left) == INT64_MIN) &&
               replace_top(as_word(as_signed(left) / as_signed(right)));
      case kMinus:
        return replace_top(left - right);
      case kMod:
        return right != 0 && replace_top(left % right);
      case kMul:
        return replace_top(left * right);
      case kOr:
        return replace_top(left | right);
      case kPlus:
        return replace_top(left + right);
      case kShl:
        return replace_top(right < 64 ? left << right : 0);
      case kShr:
        return replace_top(right < 64 ? left >> right : 0);
      case kShra:
        return replace_top(as_word(as_signed(left) >> (right < 64 ? right : 63)));
      default:  // kXor
        return replace_top(left ^ right);
    }
  }

  bool deref_size(std::uint8_t size) {
    std::uint64_t word = 0;
    if (depth_ == 0 || size == 0 || size > 8 || !input_.read_word(top(), word)) {
      return false;
    }
    return replace_top(size == 8 ? word : word & ((std::uint64_t{1} << (size * 8)) - 1));
  }

  bool push_register(std::uint64_t number) {
    const std::int64_t offset = code_.take_signed_leb();
    return number < kRegisterCount && push(input_.registers.value[number] + as_word(offset));
  }

  bool jump(std::int16_t distance) {
    code_.skip(std::int64_t{distance}, begin_);
    return code_.ok();
  }

  bool push(std::uint64_t value) {
    if (depth_ == kMaxDepth) {
      return false;
    }
    stack_[depth_++] = value;
    return true;
  }

  bool exchange(unsigned a, unsigned b) {
    const std::uint64_t value = stack_[a];
    stack_[a] = stack_[b];
    stack_[b] = value;
    return true;
  }

  bool replace_top(std::uint64_t value) {
    top() = value;
    return true;
  }

  std::uint64_t& top() { return stack_[depth_ - 1]; }

  ByteCursor code_;
  const std::uint8_t* begin_;
  const ExpressionInput& input_;
  std::uint64_t stack_[kMaxDepth];
  unsigned depth_ = 0;
};

}  // namespace

bool evaluate(ByteCursor block, const ExpressionInput& input, std::uint64_t& result) {
  return Machine(block, input).run(result);
}

}  // namespace seep::stack
