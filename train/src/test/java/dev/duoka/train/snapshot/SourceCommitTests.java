package dev.duoka.train.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceCommitTests {
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir Path tree;

  private Path jar() throws IOException {
    Files.writeString(tree.resolve("duoka"), "#!/bin/sh\n");
    return Files.createDirectories(tree.resolve("cli/target/app/lib")).resolve("duoka-cli.jar");
  }

  private void put(String file, String text) throws IOException {
    Path path = tree.resolve(file);
    Files.createDirectories(path.resolveSibling(""));
    Files.writeString(path, text);
  }

  @Test
  void ofABranch() throws IOException {
    put(".git/HEAD", "ref: refs/heads/main\n");
    put(".git/refs/heads/main", COMMIT + "\n");
    assertThat(SourceCommit.of(jar())).contains(COMMIT);
  }

  @Test
  void ofABranchThatIsPacked() throws IOException {
    put(".git/HEAD", "ref: refs/heads/main\n");
    put(".git/packed-refs", "# pack-refs\n" + COMMIT + " refs/heads/main\n");
    assertThat(SourceCommit.of(jar())).contains(COMMIT);
  }

  @Test
  void ofAFurtherWorkingTree() throws IOException {
    put(".git", "gitdir: " + tree.resolve("main/worktrees/x") + "\n");
    put("main/worktrees/x/HEAD", "ref: refs/heads/x\n");
    put("main/worktrees/x/commondir", "../..\n");
    put("main/refs/heads/x", COMMIT + "\n");
    assertThat(SourceCommit.of(jar())).contains(COMMIT);
  }

  @Test
  void elsewhereItIsNotKnown() throws IOException {
    Path jar = jar();
    assertThat(SourceCommit.of(jar)).isEmpty();
    put(".git/HEAD", "damaged\n");
    assertThat(SourceCommit.of(jar)).isEmpty();
    Files.delete(tree.resolve("duoka"));
    put(".git/HEAD", COMMIT + "\n"); // somebody else's tree
    assertThat(SourceCommit.of(jar)).isEmpty();
  }
}
