package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrarySearchTests {
  private static final List<String> CHANGED_PROPERTIES =
      List.of(
          LibrarySearch.PROPERTY,
          NativesCache.NATIVES_PROPERTY,
          "java.class.path",
          "jdk.module.path",
          "surefire.test.class.path");

  @TempDir private Path root;
  private final Map<String, String> before = new HashMap<>();
  private MadeUpMachine machine;

  @BeforeEach
  void saveProperties() {
    machine = new MadeUpMachine(root);
    for (String name : CHANGED_PROPERTIES) {
      String value = System.getProperty(name);
      if (value != null) {
        before.put(name, value);
      }
    }
  }

  @AfterEach
  void restoreProperties() {
    for (String name : CHANGED_PROPERTIES) {
      if (before.containsKey(name)) {
        System.setProperty(name, before.get(name));
      } else {
        System.clearProperty(name);
      }
    }
  }

  private static void hideMavensNatives() {
    for (String name : List.of("java.class.path", "jdk.module.path", "surefire.test.class.path")) {
      System.setProperty(name, "");
    }
  }

  @Test
  void findsAVirtualEnvironment() {
    Path libraries = machine.torch("venv/lib/python3.12/site-packages", "2.11.0+cu130", "13.0");
    machine.environment.put("VIRTUAL_ENV", root.resolve("venv").toString());
    LibraryChoice choice = machine.search().choose();
    assertThat(choice)
        .isEqualTo(
            new LibraryChoice(
                "installed PyTorch", libraries, "2.11.0+cu130", true, true, "chosen"));
    assertThat(TorchBuild.cudaVersion(choice)).contains(13_000);
  }

  @Test
  void findsConda() {
    Path libraries = machine.torch("conda/lib/python3.13/site-packages", "2.12.1", "");
    machine.environment.put("CONDA_PREFIX", root.resolve("conda").toString());
    LibraryChoice choice = machine.search().choose();
    assertThat(choice.folder()).isEqualTo(libraries);
    assertThat(choice.cuda()).isFalse();
    assertThat(TorchBuild.cudaVersion(choice)).isEmpty();
  }

  @Test
  void findsAnNgcImage() {
    Path libraries =
        machine.torch("usr/local/lib/python3.12/dist-packages", "2.11.0a0+abc1234.nv25.10", "13.0");
    LibraryChoice choice = machine.search().choose();
    assertThat(choice.folder()).isEqualTo(libraries);
    assertThat(TorchBuild.cudaVersion(choice)).contains(13_000);
  }

  @Test
  void takesTheInterpreterThatComesFirstOnPath() {
    Path second = machine.torch("two/lib/python3.11/site-packages", "2.10.0+cu128", "12.8");
    Path first = machine.torch("one/lib/python3.11/site-packages", "2.14.1+cu130", "13.0");
    machine.pathEntry("two/bin");
    machine.pathEntry("one/bin");
    LibrarySearch search = machine.search();
    assertThat(search.choose().folder()).isEqualTo(first);
    assertThat(search.considered()).map(LibraryChoice::folder).containsExactly(first, second);
    assertThat(search.considered().get(1).reason()).startsWith("passed over: an earlier one");
  }

  @Test
  void passesOverDebiansOldTorch() {
    machine.torch("usr/lib/python3/dist-packages", "1.13.1", "");
    LibrarySearch search = machine.search();
    LibraryChoice chosen = search.choose();
    assertThat(chosen.origin()).isEqualTo("Maven natives");
    assertThat(chosen.version()).startsWith("2.");
    assertThat(search.considered()).hasSize(2);
    LibraryChoice passedOver = search.considered().getFirst();
    assertThat(passedOver.usable()).isFalse();
    assertThat(passedOver.reason()).contains("1.13.1").contains("2.10").contains("C ABI");
  }

  @Test
  void anOldTorchDoesNotHideAYoungerOne() {
    machine.torch("usr/lib/python3/dist-packages", "2.9.1", "");
    Path user = machine.torch("home/user/.local/lib/python3.11/site-packages", "2.10.0", "");
    assertThat(machine.search().choose().folder()).isEqualTo(user);
  }

  @Test
  void aPackageWithoutLibrariesIsPassedOver() throws IOException {
    Path libraries = machine.torch("usr/lib/python3/dist-packages", "2.11.0", "");
    Files.delete(libraries.resolve("libtorch_cpu.so"));
    LibrarySearch search = machine.search();
    assertThat(search.choose().origin()).isEqualTo("Maven natives");
    assertThat(search.considered().getFirst().reason()).contains("no libtorch_cpu.so");
  }

  @Test
  void anExplicitChoiceWinsOverAnInstalledOne() {
    machine.torch("usr/lib/python3/dist-packages", "2.11.0", "");
    Path named = machine.torch("opt/mine", "2.12.0", "");
    machine.environment.put(LibrarySearch.VARIABLE, root.resolve("opt/mine/torch").toString());
    LibraryChoice choice = machine.search().choose();
    assertThat(choice.origin()).isEqualTo("DUOKA_LIBTORCH");
    assertThat(choice.folder()).isEqualTo(named);
    assertThat(choice.version()).isEqualTo("2.12.0");
  }

  @Test
  void thePropertyWinsOverTheVariable() {
    Path property = machine.torch("opt/property", "2.12.0", "");
    Path variable = machine.torch("opt/variable", "2.13.0", "");
    System.setProperty(LibrarySearch.PROPERTY, property.toString());
    machine.environment.put(LibrarySearch.VARIABLE, variable.toString());
    assertThat(machine.search().choose().folder()).isEqualTo(property);
  }

  @Test
  void anExplicitChoiceThatIsWrongFailsAndNeverFallsThrough() {
    machine.torch("usr/lib/python3/dist-packages", "2.11.0", "");
    Path empty = machine.folder("opt/empty");
    System.setProperty(LibrarySearch.PROPERTY, empty.toString());
    LibrarySearch search = machine.search();
    assertThatThrownBy(search::choose)
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NATIVE_LIBRARY))
        .hasMessageContaining("property duoka.libtorch names " + empty)
        .hasMessageContaining("no libtorch_cpu.so");
    assertThat(search.considered()).hasSize(1);
  }

  @Test
  void anExplicitChoiceThatIsTooOldFails() {
    Path old = machine.torch("opt/old", "2.9.0", "");
    machine.environment.put(LibrarySearch.VARIABLE, old.toString());
    assertThatThrownBy(() -> machine.search().choose())
        .hasMessageContaining("2.9.0 is older than 2.10");
  }

  @Test
  void aMachineWithoutAnyLibTorchSaysWhatToInstall() {
    hideMavensNatives();
    machine.torch("usr/lib/python3/dist-packages", "1.13.1", "");
    assertThatThrownBy(() -> machine.search().choose())
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NATIVE_LIBRARY))
        .hasMessageContaining("1 passed over")
        .hasMessageContaining("pip install torch");
  }

  @Test
  void aNativesFolderThatIsGoneIsNamed() {
    hideMavensNatives();
    System.setProperty(NativesCache.NATIVES_PROPERTY, root.resolve("gone").toString());
    assertThatThrownBy(() -> machine.search().choose())
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(root.resolve("gone").toString());
  }
}
