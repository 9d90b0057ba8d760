package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.LibrarySearch;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.SignatureAudit;
import java.util.List;
import org.junit.jupiter.api.Test;

class LibraryVersionTests {
  @Test
  void everyLibraryHasAVersionOrAReason() {
    LibraryChoice torch = new LibrarySearch().choose();
    for (Presence<LibraryVersion> library :
        List.of(LibraryVersion.cudnn(torch), LibraryVersion.nccl(torch))) {
      switch (library) {
        case Presence.Present<LibraryVersion>(LibraryVersion found) ->
            assertThat(found.version()).matches("\\d+\\.\\d+\\.\\d+");
        case Presence.Absent<LibraryVersion>(String reason, _) -> assertThat(reason).isNotBlank();
      }
    }
    assertThat(SignatureAudit.mismatches()).isEmpty();
  }

  @Test
  void readsPackedVersionNumbers() {
    assertThat(LibraryVersion.threePart(92_400)).isEqualTo("9.24.0");
    assertThat(LibraryVersion.threePart(8_907)).isEqualTo("8.9.7");
    assertThat(LibraryVersion.threePart(22_809)).isEqualTo("2.28.9");
  }
}
