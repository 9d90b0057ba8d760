package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people write of a run. */
final class RunNotesTests {
  @TempDir Path folder;

  @Test
  void tagsAreInLinesOfTheirOwn() {
    RunNotes notes =
        new RunNotes("# Sweep\nTags: baseline , lr 1e-3,baseline\nno tags: x\n标签：长文本；中文\n");
    assertThat(notes.tags()).containsExactly("baseline", "lr 1e-3", "长文本", "中文");
    assertThat(new RunNotes("tags:\n\n").tags()).isEmpty();
    assertThat(new RunNotes("tags: a\033[2J").tags()).containsExactly("a␛[2J");
    assertThat(new RunNotes("tags: " + "x".repeat(60)).tags()).isEmpty();
  }

  @Test
  void whatIsAddedStandsBesideWhatWasThere() throws IOException {
    assertThat(RunNotes.of(folder).tags()).isEmpty();
    RunNotes.of(folder).with(List.of("sweep", "a, b"), "the first line").write(folder);
    RunNotes.of(folder).with(List.of("b", "c"), "").write(folder);
    RunNotes.of(folder).with(List.of(), "another one").write(folder);
    assertThat(folder.resolve("notes.md"))
        .hasContent("tags: sweep, a, b, c\n\nthe first line\n\nanother one");
    assertThat(RunNotes.of(folder).tags()).containsExactly("sweep", "a", "b", "c");
  }

  @Test
  void aLinkOutOfTheFolderIsNotFollowed() throws IOException {
    Files.createSymbolicLink(folder.resolve("notes.md"), Path.of("/etc/passwd"));
    assertThatThrownBy(() -> RunNotes.of(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("leads out of the run's folder");
  }

  @Test
  void tooMuchIsRefused() {
    RunNotes notes = new RunNotes("").with(List.of(), "x".repeat(70_000));
    assertThatThrownBy(() -> notes.write(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("notes.md would have 70001 bytes");
    assertThat(folder).isEmptyDirectory();
  }
}
