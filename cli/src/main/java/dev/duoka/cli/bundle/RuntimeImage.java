package dev.duoka.cli.bundle;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;

/** A Java runtime with only the JDK modules that the program needs, made by the JDK's jlink. */
final class RuntimeImage {
  /**
   * Modules that no descriptor asks for: zip file systems for archives of text, memory figures of
   * the JVM, and what the automatic modules (the Parquet reader and its codecs) use.
   */
  private static final List<String> FOUND_AT_RUN_TIME =
      List.of(
          "java.logging", "java.sql", "jdk.jfr", "jdk.management", "jdk.unsupported", "jdk.zipfs");

  private RuntimeImage() {}

  /**
   * Links a runtime for the modules in {@code lib}.
   *
   * @param target the folder to create
   * @return {@code target}
   */
  static Path link(Path lib, Path target) {
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.USAGE,
                        "a bundle needs jlink, which this Java runtime lacks: "
                            + System.getProperty("java.home"),
                        "Run ./duoka bundle with a JDK."));
    StringWriter output = new StringWriter();
    PrintWriter printer = new PrintWriter(output);
    int status =
        jlink.run(
            printer,
            printer,
            "--add-modules",
            String.join(",", modules(lib)),
            "--output",
            target.toString(),
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--compress=zip-0"); // the archive compresses better what is not compressed yet
    printer.flush();
    if (status != 0 && output.toString().contains("No space left")) {
      throw new DuokaException(
          ErrorCode.NO_SPACE,
          "cannot write the bundle's Java runtime to " + target + ": the file system is full",
          "Free about 300 MB there, or name another place with --output");
    }
    if (status != 0) {
      throw new DuokaException(
          ErrorCode.IO,
          "jlink cannot make a Java runtime: " + output.toString().strip(),
          "Check that the JDK " + System.getProperty("java.home") + " is complete.");
    }
    return target;
  }

  /** The JDK modules that those in {@code lib} require, themselves and through others. */
  static Set<String> modules(Path lib) {
    ModuleFinder jdk = ModuleFinder.ofSystem();
    Set<String> needed = new TreeSet<>(FOUND_AT_RUN_TIME);
    for (ModuleReference module : ModuleFinder.of(lib).findAll()) {
      module.descriptor().requires().stream()
          .filter(need -> !need.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
          .map(ModuleDescriptor.Requires::name)
          .filter(name -> jdk.find(name).isPresent())
          .forEach(needed::add);
    }
    return needed; // jlink adds what these require in turn
  }
}
