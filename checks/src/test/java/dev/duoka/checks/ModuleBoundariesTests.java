package dev.duoka.checks;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Dependencies point downward only, and native code stays in one module. */
final class ModuleBoundariesTests {
  /** What each module may use of the others. An edge may be taken away, not added lightly. */
  private static final Map<String, Set<String>> MAY_USE =
      Map.ofEntries(
          entry("base"),
          entry("layout", "base"),
          entry("formats", "base"),
          entry("hardware", "base", "formats"),
          entry("ffi", "base"),
          entry("tensor", "base", "ffi"),
          entry("comm", "base", "ffi", "tensor"),
          entry("engine", "base", "layout", "tensor"),
          entry("model", "base", "layout", "formats", "tensor", "engine"),
          entry("data", "base", "formats"),
          entry(
              "parallel", "base", "layout", "formats", "tensor", "comm", "engine", "model", "data"),
          entry(
              "train",
              "base",
              "layout",
              "formats",
              "hardware",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel"),
          entry(
              "verify",
              "base",
              "layout",
              "formats",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel",
              "train"),
          entry(
              "measure",
              "base",
              "layout",
              "formats",
              "tensor",
              "comm",
              "engine",
              "model",
              "data",
              "parallel",
              "train"),
          entry("machine", "base", "formats", "hardware", "ffi"),
          entry("doctor", "base", "formats", "hardware", "ffi", "machine"),
          entry("diagnosis", "base", "formats", "hardware"),
          entry("planner", "base", "layout", "formats", "hardware", "machine"),
          entry(
              "cli",
              "base",
              "layout",
              "formats",
              "hardware",
              "data",
              "train",
              "verify",
              "measure",
              "machine",
              "doctor",
              "diagnosis",
              "planner"));

  static final List<String> MODULES = Repository.MODULES;

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .importJars(MODULES.stream().map(ModuleBoundariesTests::jarFile).toList());

  @ParameterizedTest
  @FieldSource("MODULES")
  void moduleRequiresOnlyModulesBelow(String module) {
    ModuleDescriptor descriptor =
        ModuleFinder.of(Repository.jar(module))
            .find("dev.duoka." + module)
            .orElseThrow()
            .descriptor();
    Set<String> used =
        descriptor.requires().stream()
            .map(ModuleDescriptor.Requires::name)
            .filter(name -> name.startsWith("dev.duoka."))
            .map(name -> name.substring("dev.duoka.".length()))
            .collect(Collectors.toSet());
    assertThat(MAY_USE.getOrDefault(module, Set.of())).containsAll(used);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void classesUseOnlyModulesBelow(String module) {
    String[] forbidden =
        MODULES.stream()
            .filter(other -> !other.equals(module))
            .filter(other -> !MAY_USE.getOrDefault(module, Set.of()).contains(other))
            .map(other -> "dev.duoka." + other + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage("dev.duoka." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden)
        .check(CLASSES);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void everyClassLiesUnderItsModulesPackageRoot(String module) throws IOException {
    try (JarFile jar = new JarFile(Repository.jar(module).toFile())) {
      assertThat(jar.stream().map(entry -> entry.getName()))
          .filteredOn(name -> name.endsWith(".class") && !name.equals("module-info.class"))
          .allMatch(name -> name.startsWith("dev/duoka/" + module + "/"));
    }
  }

  @Test
  void onlyTheFfiModuleTouchesNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.duoka.ffi..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign..")
        .orShould()
        .callMethod(System.class, "load", String.class)
        .orShould()
        .callMethod(System.class, "loadLibrary", String.class)
        .orShould()
        .callMethod(Runtime.class, "load", String.class)
        .orShould()
        .callMethod(Runtime.class, "loadLibrary", String.class)
        .check(CLASSES);
  }

  @Test
  void packagesHaveNoCycles() {
    SlicesRuleDefinition.slices()
        .matching("dev.duoka.(**)")
        .should()
        .beFreeOfCycles()
        .check(CLASSES);
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  void everyPackageSaysWhatIsInIt(String module) {
    assertThat(Repository.packages(module))
        .allSatisfy(folder -> assertThat(folder.resolve("package-info.java")).exists());
  }

  private static Map.Entry<String, Set<String>> entry(String module, String... mayUse) {
    return Map.entry(module, Set.of(mayUse));
  }

  private static JarFile jarFile(String module) {
    try {
      return new JarFile(Repository.jar(module).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
