package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ResourcesTests {
  private final List<String> closed = new ArrayList<>();

  @Test
  void theLastIsClosedFirst() {
    Resources resources = new Resources();
    resources.own(() -> closed.add("model"));
    resources.own(() -> closed.add("optimizer"));
    resources.close();
    resources.close();
    assertThat(closed).containsExactly("optimizer", "model");
  }

  @Test
  void oneThatFailsKeepsNoOtherOpen() {
    Resources resources = new Resources();
    resources.own(() -> closed.add("model"));
    resources.own(
        () -> {
          throw new IOException("disk");
        });
    resources.own(
        () -> {
          throw new IllegalArgumentException("device");
        });
    assertThatThrownBy(resources::close)
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(
            failure ->
                assertThat(failure.getSuppressed())
                    .singleElement()
                    .satisfies(other -> assertThat(other).hasRootCauseMessage("disk")));
    assertThat(closed).containsExactly("model");
  }

  @Test
  void whatWasReleasedIsClosedByWhoeverHasItNow() {
    Resources owner;
    try (Resources made = new Resources()) {
      made.own(() -> closed.add("model"));
      made.own(() -> closed.add("optimizer"));
      owner = made.release();
    }
    assertThat(closed).isEmpty();
    owner.close();
    assertThat(closed).containsExactly("optimizer", "model");
  }
}
