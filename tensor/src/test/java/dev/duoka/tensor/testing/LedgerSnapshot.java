package dev.duoka.tensor.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import java.util.Map;

/**
 * What lived on a device at one moment.
 *
 * @param storages how many allocations
 * @param byOwner bytes of each owner
 */
public record LedgerSnapshot(Device device, long storages, Map<MemoryOwner, Long> byOwner) {
  /** What lives now. */
  public static LedgerSnapshot of(Device device) {
    MemoryLedger ledger = MemoryLedger.of(device);
    return new LedgerSnapshot(device, ledger.liveStorages(), ledger.liveByOwner());
  }

  /** Fails unless exactly the same lives now. */
  public void assertUnchanged() {
    assertThat(of(device)).isEqualTo(this);
  }
}
