package dev.duoka.checks;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.jar.JarFile;

/** The classes of the packaged program's own modules. */
final class ModuleClasses {
  static final JavaClasses ALL =
      new ClassFileImporter()
          .importJars(Repository.MODULES.stream().map(ModuleClasses::jarFile).toList());

  private ModuleClasses() {}

  private static JarFile jarFile(String module) {
    try {
      return new JarFile(Repository.jar(module).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
