package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.LedgerSnapshot;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A failure inside LibTorch names the operator and what it was given, and leaks nothing. */
class OperatorErrorsTests {
  @Test
  void nameOperatorShapesDtypesAndDevices() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor a = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 2, 3);
      Tensor b = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, 4, 5);
      Tensor meta = Tensors.zeros(Dtype.FLOAT32, Device.META, 2, 3);
      String both = "float32[2, 3]@cpu, bfloat16[4, 5]@cpu";
      fails(() -> Elementwise.mul(a, b), "aten::mul.Tensor", both);
      fails(() -> Elementwise.mulInPlace(a, b), "aten::mul_", both);
      fails(() -> Elementwise.add(a, b), "aten::add", both);
      fails(() -> Copies.into(a, b), "aten::copy_", both);
      fails(() -> Copies.concatenate(0, a, b), "aten::cat", both);
      fails(() -> Reductions.sum(a, 2, false), "aten::sum.dim_IntList", "float32[2, 3]@cpu");
      fails(() -> Indexing.gather(a, 0, b), "aten::gather", both);
      fails(() -> Indexing.topk(a, 4), "aten::topk", "float32[2, 3]@cpu");
      fails(() -> Reductions.dot(a, b), "aten::dot", both);
      fails(() -> Products.mmInto(a, a, meta, 0), "float32[2, 3]@cpu", "float32[2, 3]@meta");
      fails(() -> Elementwise.addInPlace(a, b), "aten::", "float32[2, 3]@cpu");
    }
  }

  /** Indices beyond the tensor are refused; on a GPU the check is the kernel's own. */
  @Test
  void indicesAreChecked() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor a = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 2, 3);
      Tensor tooLarge = HostCopy.fromLongs(new long[] {0, 2}, Device.CPU, 2);
      fails(() -> Indexing.rows(a, tooLarge), "aten::index_select", "int64[2]@cpu");
    }
  }

  @Test
  void anImpossibleAllocationSaysHowMuchAndWhatLives() {
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1 << 20);
      assertThatThrownBy(() -> Tensors.empty(Dtype.FLOAT32, Device.CPU, 1L << 50))
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY))
          .hasMessageContaining("4096.00 TiB")
          .hasMessageContaining("cpu")
          .hasMessageContaining("weights 4.00 MiB");
    }
  }

  private static void fails(ThrowingCallable call, String... texts) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    assertThatThrownBy(call)
        .isInstanceOf(DuokaException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(texts));
    before.assertUnchanged();
  }
}
