package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.ffi.link.MadeUpLibrary;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies on a made-up driver, one of whose directions loses a bit. */
class CopyProbeTests {
  private static final long BYTES = 1 << 20;

  @TempDir private static Path folder;
  private static CudaDriver driver;

  @BeforeAll
  static void compileTheMadeUpDriver() {
    Path library = MadeUpLibrary.compile("made_up_cuda", folder);
    driver = CudaDriver.open(List.of(library.toString())).orElseThrow();
  }

  @Test
  void whatArrivesWholeIsIntact() {
    CopyProbe probe = new CopyProbe(driver, BYTES);
    for (CudaDevice device : driver.devices()) {
      assertThat(probe.throughHost(device).intact()).isTrue();
      assertThat(probe.onDevice(device).intact()).isTrue();
      assertThat(probe.onDevice(device).gigabytesPerSecond()).isPositive();
    }
    CopyProbe.Outcome there = probe.between(driver.device(0), driver.device(1));
    assertThat(there.intact()).isTrue();
    assertThat(there.bytes()).isEqualTo(BYTES);
    assertThat(there.peerAccess()).as("one direction is not enough").isFalse();
  }

  @Test
  void aLostBitIsFoundAndPlaced() {
    CopyProbe.Outcome back =
        new CopyProbe(driver, BYTES).between(driver.device(1), driver.device(0));
    assertThat(back.intact()).isFalse();
    assertThat(back.firstWrong()).isEqualTo(BYTES / 2);
  }

  @Test
  void sizesThatDoNotFitThePatternAreRefused() {
    assertThatThrownBy(() -> new CopyProbe(driver, 12))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
