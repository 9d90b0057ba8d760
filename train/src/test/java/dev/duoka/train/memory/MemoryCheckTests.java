package dev.duoka.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryCheckTests {
  private static final long GIB = 1L << 30;

  private static final MemoryNeed NEED =
      new MemoryNeed(Map.of("weights", 2 * GIB, "optimizer", 3 * GIB, "batch", 8L));

  private static void require(Device device, long free) {
    MemoryCheck.require(
        "a training step",
        device,
        NEED,
        new FreeMemory(free, "the host has little"),
        bytes -> "It would take " + bytes / GIB);
  }

  @Test
  void refusesWithFiguresLimitAndNextStep() {
    assertThatThrownBy(() -> require(Device.CPU, 5 * GIB))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY))
        .hasMessage(
            "a training step needs 5.25 GiB (optimizer 3.00 GiB, weights 2.00 GiB, the program"
                + " 256.00 MiB) of the host's memory, but the host has little. It would take 4");
  }

  @Test
  void whatFitsIsNotRefused() {
    assertThatCode(() -> require(Device.CPU, 6 * GIB)).doesNotThrowAnyException();
    assertThatCode(() -> require(Device.cuda(0), 5 * GIB + 8)).doesNotThrowAnyException();
  }

  @Test
  void aCardHoldsNoProgram() {
    assertThatThrownBy(() -> require(Device.cuda(1), 5 * GIB))
        .hasMessageContaining("needs 5.00 GiB (optimizer 3.00 GiB, weights 2.00 GiB) of cuda:1,");
  }

  @Test
  void metaTakesNothing() {
    MemoryNeed all = new MemoryNeed(Map.of("weights", Long.MAX_VALUE));
    assertThatCode(() -> MemoryCheck.require("a dry run", Device.META, all, _ -> ""))
        .doesNotThrowAnyException();
  }

  @Test
  void theHostIsAsked() {
    MemoryNeed all = new MemoryNeed(Map.of("weights", 1L << 55));
    assertThatThrownBy(() -> MemoryCheck.require("it", Device.CPU, all, _ -> "Stop"))
        .hasMessageStartingWith("it needs 32")
        .hasMessageEndingWith("Stop");
  }
}
