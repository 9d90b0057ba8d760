package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.link.MadeUpLibrary;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies on a made-up driver, one of whose directions loses a bit. */
class DeviceBufferTests {
  private static final int BYTES = 1 << 20;

  @TempDir private static Path folder;
  private static CudaDriver driver;

  @BeforeAll
  static void compileTheMadeUpDriver() {
    Path library = MadeUpLibrary.compile("made_up_cuda", folder);
    driver = CudaDriver.open(List.of(library.toString())).orElseThrow();
  }

  @Test
  void bytesArriveOnTheSameDeviceAndOnAnother() {
    CudaDevice first = driver.device(0);
    assertThat(firstWrong(first, first)).isEqualTo(-1);
    assertThat(firstWrong(first, driver.device(1))).isEqualTo(-1);
  }

  @Test
  void theCallGoesToTheDriver() {
    assertThat(firstWrong(driver.device(1), driver.device(0))).isEqualTo(BYTES / 2);
  }

  @Test
  void peerAccessIsOpenedWhereADeviceHasIt() {
    for (CudaDevice from : driver.devices()) {
      for (CudaDevice to : driver.devices()) {
        if (from != to && from.canAccessPeer(to)) {
          new PeerAccess(from, to).close();
        }
      }
    }
    assertThat(driver.device(0).canAccessPeer(driver.device(1)))
        .as("one direction is not enough")
        .isNotEqualTo(driver.device(1).canAccessPeer(driver.device(0)));
  }

  @Test
  void pagesAreLockedUntilTheEnd() {
    CudaDevice device = driver.device(0);
    try (HostMemory memory = new HostMemory(BYTES)) {
      try (PageLock _ = new PageLock(device, memory.address(), BYTES)) {
        assertThatThrownBy(() -> new PageLock(device, memory.address(), BYTES))
            .isInstanceOf(DuokaException.class)
            .hasMessageContaining("locking " + BYTES + " bytes of host memory");
      }
      new PageLock(device, memory.address(), BYTES).close();
    }
  }

  /** The gaps between rows are left as they are. */
  @Test
  void rowsArriveAtTheirPlaces() {
    CudaDevice device = driver.device(0);
    try (HostMemory sent = new HostMemory(60);
        HostMemory arrived = new HostMemory(60);
        DeviceBuffer source = new DeviceBuffer(device, 60)) {
      for (int i = 0; i < 60; i++) {
        sent.bytes().put(i, (byte) (1 + i));
        arrived.bytes().put(i, (byte) 0);
      }
      driver.copyToDevice(source.address(), sent.address(), 60, 0);
      driver.copyRowsToHost(arrived.address() + 2, 20, source.address() + 5, 15, 7, 3, 0);
      driver.synchronize(0);
      for (int i = 0; i < 60; i++) {
        int row = (i - 2) / 20;
        int column = i - 2 - 20 * row;
        int expected = i >= 2 && row < 3 && column < 7 ? 1 + 5 + 15 * row + column : 0;
        assertThat(arrived.bytes().get(i)).as("byte %d", i).isEqualTo((byte) expected);
      }
    }
  }

  private static int firstWrong(CudaDevice from, CudaDevice to) {
    try (HostMemory sent = new HostMemory(BYTES);
        HostMemory arrived = new HostMemory(BYTES);
        DeviceBuffer source = new DeviceBuffer(from, BYTES);
        DeviceBuffer target = new DeviceBuffer(to, BYTES)) {
      for (int i = 0; i < BYTES; i++) {
        sent.bytes().put(i, (byte) (i * 31 + 7));
      }
      from.useOnThisThread();
      driver.copyToDevice(source.address(), sent.address(), BYTES, 0);
      source.copyTo(target, 0);
      driver.synchronize(0);
      to.useOnThisThread();
      driver.copyToHost(arrived.address(), target.address(), BYTES, 0);
      driver.synchronize(0);
      return sent.bytes().mismatch(arrived.bytes());
    }
  }
}
