package dev.duoka.cli.command;

import java.lang.module.ModuleDescriptor;
import java.util.Optional;
import picocli.CommandLine;

/** The version of this program and of the Java runtime that it runs on. */
public final class Version implements CommandLine.IVersionProvider {
  /** The program's version, {@code development} when it does not run from its packaged modules. */
  static String number() {
    return Optional.ofNullable(Version.class.getModule().getDescriptor())
        .flatMap(ModuleDescriptor::rawVersion)
        .orElse("development");
  }

  @Override
  public String[] getVersion() {
    return new String[] {"duoka " + number(), "Java " + Runtime.version()};
  }
}
