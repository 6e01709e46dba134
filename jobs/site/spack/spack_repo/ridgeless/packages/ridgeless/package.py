import os

from spack_repo.builtin.build_systems.meson import MesonPackage

from spack.package import *


class Ridgeless(MesonPackage):
    """Measures why the test error of least squares diverges where the number of parameters meets the
    number of training data."""

    homepage = "https://arxiv.org/abs/2303.14151"  # of the method: the program has no page of its own
    # The tarball that `meson dist` makes, looked for in the folder where spack is started.
    url = f"file://{os.getcwd()}/ridgeless-0.1.0.tar.gz"
    manual_download = True

    license("MIT")

    # No checksum: the tarball holds this file, which cannot know its own tarball's.
    version("0.1.0")

    variant("figures", default=True, description="The Python packages that draw the figures")

    depends_on("c", type="build")
    depends_on("meson@1.0:", type="build")

    depends_on("mpi")
    depends_on("scalapack")
    depends_on("openblas")
    depends_on("netcdf-c")
    depends_on("libyaml")
    depends_on("jansson")
    depends_on("xxhash")
    depends_on("zlib-api")
    depends_on("random123")

    with when("+figures"):
        depends_on("python", type="run")
        depends_on("py-xarray", type="run")
        depends_on("py-netcdf4", type="run")
        depends_on("py-matplotlib", type="run")

    sanity_check_is_file = [join_path("bin", "ridgeless"), join_path("share", "man", "man1", "ridgeless.1")]

    @property
    def own_pkgconfig(self):
        return join_path(self.stage.path, "pkgconfig")

    def setup_build_environment(self, env):
        env.prepend_path("PKG_CONFIG_PATH", self.own_pkgconfig)

    @run_before("meson")
    def describe_scalapack(self):
        """Netlib's scalapack.pc asks for blas.pc, lapack.pc and mpi.pc, which Spack has not; other providers have no
        scalapack.pc at all. Meson finds this one first."""
        mkdirp(self.own_pkgconfig)
        scalapack = self.spec["scalapack"]
        with open(join_path(self.own_pkgconfig, "scalapack.pc"), "w") as file:
            file.write("Name: scalapack\nDescription: ScaLAPACK\n")
            file.write(f"Version: {scalapack.version}\nLibs: {scalapack.libs.ld_flags}\n")

    def meson_args(self):
        return ["-Dtests=false"]

    def test_version(self):
        """the program starts, and says the version that was asked for"""
        said = Executable(self.prefix.bin.ridgeless)("--version", output=str)
        assert f"ridgeless {self.spec.version} " in said, said
