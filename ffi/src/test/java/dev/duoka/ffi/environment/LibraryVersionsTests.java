package dev.duoka.ffi.environment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.link.SignatureAudit;
import org.junit.jupiter.api.Test;

final class LibraryVersionsTests {
  @Test
  void readsPackedVersionNumbers() {
    assertThat(LibraryVersions.threePart(92_400)).isEqualTo("9.24.0");
    assertThat(LibraryVersions.threePart(8_907)).isEqualTo("8.9.7");
    assertThat(LibraryVersions.threePart(22_809)).isEqualTo("2.28.9");
  }

  @Test
  void theLibrariesTellTheirThreads() {
    assertThat(OperatorThreads.now().openMp().orElse(1)).isPositive();
    assertThat(SignatureAudit.mismatches()).isEmpty();
  }
}
