package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import org.junit.jupiter.api.Test;

class ScopeTests {
  private static Tensor make() {
    return Tensors.zeros(Dtype.FLOAT32, Device.CPU, 3);
  }

  @Test
  void freesItsTensorsWhenItCloses() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    Tensor tensor;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      tensor = make();
      assertThat(tensor.isClosed()).isFalse();
    }
    assertThat(tensor.isClosed()).isTrue();
    before.assertUnchanged();
  }

  @Test
  void nestedScopesFreeOnlyTheirOwn() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor outer = make();
      Tensor inner;
      try (Scope _ = Scope.open()) {
        inner = make();
      }
      assertThat(inner.isClosed()).isTrue();
      assertThat(outer.isClosed()).isFalse();
    }
  }

  @Test
  void keepMovesToTheEnclosingScope() {
    Tensor kept;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      try (Scope inner = Scope.open()) {
        kept = inner.keep(make());
      }
      assertThat(kept.isClosed()).isFalse();
    }
    assertThat(kept.isClosed()).isTrue();
  }

  @Test
  void keepInTheOutermostScopeGivesTheTensorToTheCaller() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    Tensor kept;
    try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
      kept = scope.keep(make());
    }
    assertThat(kept.isClosed()).isFalse();
    kept.close();
    before.assertUnchanged();
  }

  @Test
  void keepRefusesATensorOfAnotherScope() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor outer = make();
      try (Scope inner = Scope.open()) {
        assertThatThrownBy(() -> inner.keep(outer))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("float32[3]@cpu");
      }
      assertThat(outer.isClosed()).isFalse();
    }
  }

  @Test
  void detachTakesATensorOutOfAnyScope() {
    Tensor tensor;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor outer = make();
      try (Scope _ = Scope.open()) {
        tensor = Scope.detach(outer);
      }
    }
    assertThat(tensor.isClosed()).isFalse();
    assertThat(Scope.detach(tensor)).isSameAs(tensor);
    tensor.close();
    assertThat(tensor.isClosed()).isTrue();
  }

  @Test
  void mustBeClosedInReverseOrder() {
    Scope outer = Scope.open(MemoryOwner.TEMPORARIES);
    Scope inner = Scope.open();
    Tensor tensor = make();
    assertThatThrownBy(outer::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("reverse order");
    assertThat(tensor.isClosed()).isFalse();
    inner.close();
    outer.close();
    assertThat(tensor.isClosed()).isTrue();
  }

  @Test
  void mustBeClosedByTheThreadThatOpenedIt() throws InterruptedException {
    Scope scope = Scope.open(MemoryOwner.TEMPORARIES);
    Throwable[] seen = new Throwable[1];
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    scope.close();
                  } catch (IllegalStateException e) {
                    seen[0] = e;
                  }
                });
    other.join();
    scope.close();
    assertThat(seen[0]).isNotNull();
  }

  @Test
  void closingTwiceDoesNothing() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    Scope scope = Scope.open(MemoryOwner.TEMPORARIES);
    make();
    scope.close();
    scope.close();
    before.assertUnchanged();
  }

  @Test
  void aTensorClosedEarlyIsNotFreedTwice() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor tensor = make();
      tensor.close();
      tensor.close();
      before.assertUnchanged();
    }
    before.assertUnchanged();
  }

  @Test
  void freesItsTensorsWhenTheBodyFails() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    assertThatThrownBy(
            () -> {
              try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
                make();
                throw new IllegalArgumentException("in between");
              }
            })
        .hasMessage("in between");
    before.assertUnchanged();
  }

  @Test
  void threadsHaveScopesOfTheirOwn() throws InterruptedException {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor[] made = new Tensor[1];
      Thread other = Thread.ofPlatform().start(() -> made[0] = make());
      other.join();
      assertThat(made[0].scope).isNull();
      made[0].close();
    }
  }
}
