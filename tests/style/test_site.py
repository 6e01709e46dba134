"""What sites install with, as far as it can be checked without Spack, EasyBuild and Apptainer: syntax, versions, Meson's
options, and a dependency for every library that meson.build asks for. The %test of the container is run here."""
import ast
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from program import PROGRAM, SOURCE

try:
    import yaml
except ImportError:
    yaml = None

SITE = SOURCE / "jobs" / "site"
BUILD = pathlib.Path(PROGRAM).parents[2]
SPACK = SITE / "spack" / "spack_repo" / "ridgeless"
SPACK_RECIPE = SPACK / "packages" / "ridgeless" / "package.py"
CONTAINER = SITE / "ridgeless.def"
LMOD = "/usr/share/lmod/lmod/libexec/lmod"  # of Debian's package, which has it on no path
# What Meson asks for: its package in Spack, in EasyBuild (all of `foss` is there at once) and in Debian.
PACKAGES = {
    "mpi": ("mpi", "foss", "libopenmpi-dev"),
    "scalapack": ("scalapack", "foss", "libscalapack-openmpi-dev"),
    "cblas.h": ("openblas", "foss", "libopenblas-dev"),
    "netcdf": ("netcdf-c", "netCDF", "libnetcdf-dev"),
    "yaml-0.1": ("libyaml", "libyaml", "libyaml-dev"),
    "jansson": ("jansson", "Jansson", "libjansson-dev"),
    "libxxhash": ("xxhash", "xxHash", "libxxhash-dev"),
    "xxh_x86dispatch.h": ("xxhash", "xxHash", "libxxhash-dev"),
    "zlib": ("zlib-api", "zlib", "zlib1g-dev"),
    "Random123/philox.h": ("random123", "Random123", "librandom123-dev"),
}
OF_THE_COMPILER = {"m"}
BY_OPTION = {"scalapack"}  # meson.build has its names in a list
CARRIED = {"Random123"}  # EasyBuild has none of its own
SECTIONS = {"setup", "files", "post", "environment", "test", "runscript", "startscript", "labels", "help", "arguments", "pre"}


def project_version():
    return re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]


def asked_of_meson():
    """Names in dependency(), find_library() and has_header() of the program's own meson.build files, and what an option
    names."""
    files = [SOURCE / "meson.build", *SOURCE.glob("src/**/meson.build")]
    call = r"(?<![a-z_])(?:dependency|find_library|has_header)\('([^']+)'"
    return {name for file in files for name in re.findall(call, file.read_text())} - OF_THE_COMPILER | BY_OPTION


def calls(path, function):
    """First arguments of that function's calls in a Python file."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
    ]


def easyconfig(path):
    """The variables of an easyconfig, with EasyBuild's own constants."""
    values = {"SYSTEM": {"name": "system", "version": "system"}, "SHLIB_EXT": "so", "SOURCE_TAR_GZ": "", "SOURCELOWER_TAR_GZ": ""}
    exec(compile(path.read_text(), path, "exec"), values)
    return values


def easyconfigs():
    return {path: easyconfig(path) for path in sorted(SITE.glob("easybuild/*.eb"))}


def sections(text):
    """The sections of an Apptainer definition; the lines before the first one under ''."""
    parts = re.split(r"^%(\w+).*\n", "\n" + text, flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


class Recipes(unittest.TestCase):
    def needs(self, column):
        """Packages of everything that Meson is asked for, in a column of PACKAGES."""
        names = asked_of_meson()
        self.assertGreaterEqual(len(names), 5)
        self.assertLessEqual(names, PACKAGES.keys(), "give it a line in PACKAGES, and every recipe the package")
        return {PACKAGES[name][column] for name in names}

    def test_spack_has_every_library(self):
        has = {re.match(r"[\w-]+", spec)[0] for spec in calls(SPACK_RECIPE, "depends_on")}
        self.assertLessEqual(self.needs(0), has)

    def test_spack_recipes_compile_under_the_name_of_their_folder(self):
        recipes = sorted(SPACK.glob("packages/*/package.py"))
        self.assertEqual(len(recipes), 1)
        for path in recipes:
            classes = [node.name.lower() for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
            self.assertEqual(classes, [path.parent.name])
            self.assertEqual(len(calls(path, "version")), 1, path)

    def test_easybuild_has_every_library(self):
        recipe = easyconfig(SITE / "easybuild" / f"ridgeless-{project_version()}-foss-2023b.eb")
        has = {name for name, *_ in recipe["dependencies"]} | {recipe["toolchain"]["name"]}
        self.assertLessEqual(self.needs(1), has)
        self.assertLessEqual({"Meson", "Ninja", "pkgconf"}, {name for name, *_ in recipe["builddependencies"]})

    def test_easyconfigs_are_named_after_what_is_in_them(self):
        for path, recipe in easyconfigs().items():
            chain = recipe["toolchain"]
            suffix = "" if chain["name"] == "system" else f"-{chain['name']}-{chain['version']}"
            self.assertEqual(path.name, f"{recipe['name']}-{recipe['version']}{suffix}.eb")

    def test_carried_easyconfigs_are_those_asked_for(self):
        carried = {(recipe["name"], recipe["version"]) for recipe in easyconfigs().values()}
        asked = {found[:2] for recipe in easyconfigs().values() for found in recipe.get("dependencies", ())}
        self.assertEqual(
            {found for found in asked if found[0] in CARRIED}, {found for found in carried if found[0] != "ridgeless"}
        )

    def test_container_has_every_library(self):
        self.assertIn("jobs/install-packages.sh", sections(CONTAINER.read_text())["post"])
        installed = set(re.findall(r"[a-z0-9][a-z0-9.+-]+", (SOURCE / "jobs" / "install-packages.sh").read_text()))
        self.assertLessEqual(self.needs(2), installed)

    def test_versions_are_the_projects(self):
        recipes = [config["version"] for config in easyconfigs().values() if config["name"] == "ridgeless"]
        named = [
            found
            for path in (SITE / "README.md", CONTAINER, SPACK_RECIPE)
            for found in re.findall(r"ridgeless[-/](\d+\.\d+\.\d+)", path.read_text())
        ]
        self.assertGreaterEqual(len(named), 5)
        label = re.search(r"Version (\S+)", sections(CONTAINER.read_text())["labels"])[1]
        self.assertEqual({*recipes, *named, label, *calls(SPACK_RECIPE, "version")}, {project_version()})

    def test_meson_options_exist(self):
        known = {option["name"] for option in json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())}
        for path in (SPACK_RECIPE, SITE / "README.md", CONTAINER, *SITE.glob("easybuild/ridgeless-*.eb")):
            given = re.findall(r"-D(\w+)=(\w+)", path.read_text())
            self.assertIn(("tests", "false"), given, f"{path}: the tests need more packages")
            self.assertLessEqual({name for name, _ in given}, known, path)


class Container(unittest.TestCase):
    def setUp(self):
        self.sections = sections(CONTAINER.read_text())

    def test_sections_are_apptainers(self):
        self.assertLessEqual(self.sections.keys() - {""}, SECTIONS)
        self.assertLessEqual({"files", "post", "test", "runscript", "help"}, self.sections.keys())
        header = re.findall(r"^(\w+):", self.sections[""], re.M)
        self.assertEqual(header, ["Bootstrap", "From"])

    def test_scripts_have_no_syntax_errors(self):
        for name in ("post", "test", "runscript"):
            done = subprocess.run(["sh", "-n"], input=self.sections[name], capture_output=True, text=True)
            self.assertEqual(done.stderr, "", name)

    def test_its_test_passes_with_the_program_of_this_build(self):
        path = f"{pathlib.Path(PROGRAM).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh"], input=self.sections["test"], env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("diabetes", done.stdout)


class Module(unittest.TestCase):
    def setUp(self):
        found = json.loads((BUILD / "meson-info" / "intro-installed.json").read_text())
        self.installed = [pathlib.PurePath(path) for path in found.values()]
        self.file = BUILD / "jobs" / "site" / f"{project_version()}.lua"
        self.goes_to = pathlib.PurePath(found[str(self.file)])
        self.text = self.file.read_text()

    def prepended(self):
        return dict(re.findall(r'^prepend_path\("(\w+)", "([^"]+)"\)$', self.text, re.M))

    def test_is_installed_where_lmod_looks(self):
        self.assertEqual(self.goes_to.parts[-4:], ("share", "modulefiles", "ridgeless", f"{project_version()}.lua"))

    def test_has_no_placeholder_left(self):
        self.assertEqual(re.findall(r"@\w+@", self.text), [])

    def test_its_folders_are_those_of_the_program_and_the_man_page(self):
        folders = self.prepended()
        self.assertEqual(folders.keys(), {"PATH", "MANPATH"})
        self.assertIn(pathlib.PurePath(folders["PATH"]) / "ridgeless", self.installed)
        self.assertIn(pathlib.PurePath(folders["MANPATH"]) / "man1" / "ridgeless.1", self.installed)
        self.assertIn(pathlib.PurePath(folders["MANPATH"]) / "man5" / "ridgeless-study.5", self.installed)

    def test_the_script_it_names_is_installed(self):
        script = pathlib.PurePath(re.search(r"python3 (\S+)/figures\.py", self.text)[1])
        self.assertIn(script, self.installed)
        self.assertTrue((SOURCE / "analysis" / "figures.py").exists())

    def test_lua_takes_it(self):
        luac = next(filter(None, map(shutil.which, ("luac", "luac5.4", "luac5.3", "luac5.1"))), None)
        if luac is None:
            self.skipTest("luac is not installed")
        done = subprocess.run([luac, "-p", self.file], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")

    @unittest.skipUnless(os.path.exists(LMOD), "Lmod is not installed")
    def test_lmod_loads_it(self):
        with tempfile.TemporaryDirectory() as at:
            (pathlib.Path(at) / "ridgeless").mkdir()
            shutil.copy(self.file, f"{at}/ridgeless")
            done = subprocess.run(
                [LMOD, "bash", "load", f"ridgeless/{project_version()}"],
                env={**os.environ, "MODULEPATH": at},
                capture_output=True,
                text=True,
            )
        self.assertEqual(done.stderr, "")
        for variable, folder in self.prepended().items():
            self.assertRegex(done.stdout, rf'(?m)^{variable}="?{folder}[:;"]')


class Citation(unittest.TestCase):
    text = (SOURCE / "CITATION.cff").read_text()

    def test_version_is_the_projects(self):
        self.assertEqual(re.findall(r"^version: (\S+)$", self.text, re.M), [project_version()])

    @unittest.skipUnless(yaml, "python3-yaml is not installed")
    def test_has_what_the_format_asks_for(self):
        whole = yaml.safe_load(self.text)
        self.assertEqual(whole["cff-version"], "1.2.0")
        self.assertLessEqual({"message", "title", "authors", "license"}, whole.keys())
        for entry in (whole, *whole["references"]):
            for author in entry["authors"]:
                self.assertIn(author.keys(), ({"name"}, {"given-names", "family-names"}))
        self.assertIn("2303.14151", whole["references"][0]["url"])


if __name__ == "__main__":
    unittest.main()
