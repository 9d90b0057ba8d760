package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.OutOfMemoryException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which failures of operators on a GPU are for want of memory. */
class OutOfMemoryTests {
  private static final Device GPU = Device.cuda(0);
  private static final DuokaException FAILED =
      new DuokaException(ErrorCode.NATIVE_CALL, "aten::mul failed", "");

  private static DuokaException recognised(String problem, long free) {
    return OutOfMemory.recognise(
        GPU, problem, FAILED, Optional.of(new Gpus.CardMemory(free << 30, 80L << 30)));
  }

  @Test
  void onAFullCardAFailureIsOneOfMemory() {
    assertThat(recognised("cannot multiply", 2))
        .isInstanceOf(OutOfMemoryException.class)
        .hasMessageContaining("cannot multiply")
        .hasMessageContaining("2.00 GiB of 80.00 GiB are free")
        .hasCause(FAILED);
  }

  @Test
  void onACardWithRoomItIsNot() {
    assertThat(recognised("cannot multiply", 20))
        .isNotInstanceOf(OutOfMemoryException.class)
        .hasMessageContaining("If memory is what ran out");
  }

  @Test
  void whatTheLibraryCallsSoIsSo() {
    assertThat(recognised("cannot multiply: CUDA out of memory", 20))
        .isInstanceOf(OutOfMemoryException.class);
  }

  /** A device that answers no more is broken, whatever filled it. */
  @Test
  void aBrokenCardIsNoFullOne() {
    assertThat(OutOfMemory.recognise(GPU, "cannot multiply", FAILED, Optional.empty()))
        .isNotInstanceOf(OutOfMemoryException.class);
  }

  @Test
  void whatIsNoNativeFailureStaysWhatItIs() {
    DuokaException other = new DuokaException(ErrorCode.TENSOR, "wrong shape", "");
    assertThat(OutOfMemory.recognise(GPU, "cannot multiply", other)).isSameAs(other);
  }
}
