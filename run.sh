W=wt-price; L=$(cat /work/libs.cp); export JAVA_HOME=/usr/lib/jvm/temurin-25-jdk-amd64 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
cd /tmp/x; $JAVA_HOME/bin/javac -nowarn -proc:none -cp /work/out/$W/main:$L -d /tmp/x/out $1.java && $JAVA_HOME/bin/java -Xmx2g --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp /tmp/x/out:/work/out/$W/main:$L "$@" 2>&1 | grep -v WARN
