package dev.duoka.operations.process;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** How this program was started, so that others like it can be. */
public final class OwnCommand {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private OwnCommand() {}

  /**
   * The words that start this JVM with its flags, up to its main class; a program's arguments
   * follow.
   *
   * @param mainClass its full name
   */
  public static List<String> upToMain(String mainClass) {
    String[] words;
    try {
      words = Files.readString(COMMAND_LINE).split("\0", -1);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read how this program was started, " + COMMAND_LINE + ": " + IoReason.of(e),
          "Train with --no-supervise",
          e);
    }
    for (int i = 0; i < words.length; i++) {
      if (words[i].equals(mainClass) || words[i].endsWith("/" + mainClass)) {
        List<String> command = new ArrayList<>(Arrays.asList(words).subList(0, i + 1));
        command.set(0, java());
        return command;
      }
    }
    // A JVM that another program has made, such as a test's.
    return java(List.of(), "", mainClass);
  }

  /**
   * Words that start another class of this program in a small JVM.
   *
   * @param flags of the JVM
   * @param module the class's
   */
  public static List<String> java(List<String> flags, String module, String mainClass) {
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(flags);
    String modules = System.getProperty("jdk.module.path", "");
    String classes = System.getProperty("java.class.path", "");
    if (!module.isEmpty() && classes.isEmpty() && !modules.isEmpty()) {
      command.addAll(
          List.of(
              "--enable-native-access=dev.duoka.ffi",
              "-p",
              modules,
              "-m",
              module + "/" + mainClass));
    } else {
      String path = String.join(File.pathSeparator, classes, modules);
      command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", path, mainClass));
    }
    return command;
  }

  private static String java() {
    return ProcessHandle.current()
        .info()
        .command()
        .orElseGet(
            () ->
                Path.of(Objects.requireNonNull(System.getProperty("java.home")), "bin", "java")
                    .toString());
  }
}
