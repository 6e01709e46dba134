#!/usr/bin/env bash
# Fetches the data sets that do not come with ridgeless from where they are published, and checks them.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: jobs/download-data.sh [FOLDER]

Fetches the files of the data sets california, who and who-fixed into FOLDER (default: $RIDGELESS_DATA, or else
~/.local/share/ridgeless/data) and checks their SHA-256. Files that are already right are left alone. For a file that
cannot be fetched it says what to do by hand. Exit status: 0 all files are there, 1 some are not, 2 usage.
TEXT
}

# fetch URL FILE: by curl or wget, whichever there is; that there is none is told once.
told=''
fetch() {
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --connect-timeout 20 --max-time 600 --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --tries=2 --timeout=20 --output-document="$2" "$1"
    else
        [ -n "$told" ] || echo 'download-data.sh: needs curl or wget: run jobs/install-packages.sh, then this again' >&2
        told=yes
        return 1
    fi
}

# has_sum SHA256 FILE
has_sum() {
    [[ -f $2 ]] && printf '%s  %s\n' "$1" "$2" | sha256sum --check --status
}

# get NAME FILE: fetches the data file of that name from its publisher.
get() {
    case $1 in
        cal_housing.data)
            fetch "$california_url" "$work/california.tgz" &&
                tar -xzOf "$work/california.tgz" CaliforniaHousing/cal_housing.data >"$2"
            ;;
        life_expectancy_who_rajarshi.csv)
            fetch "$who_url" "$2"
            ;;
        life_expectancy_who_fixed.csv) # Kaggle hands some visitors the archive and shows others its login page
            fetch "$who_fixed_url" "$work/who-fixed.zip" || return
            if ! unzip -p "$work/who-fixed.zip" "$who_fixed_member" >"$2" 2>/dev/null; then
                echo "$1: Kaggle sent no archive that has $who_fixed_member, or unzip is not installed" >&2
                return 1
            fi
            ;;
    esac
}

# obtain NAME SHA256 PAGE WHAT: makes $folder/NAME, whole or not at all; else says how to by hand.
obtain() {
    local name=$1 sum=$2 page=$3 what=$4
    if has_sum "$sum" "$folder/$name"; then
        echo "$name: already there"
        return 0
    fi
    if get "$name" "$work/$name"; then
        if has_sum "$sum" "$work/$name"; then
            mv -f "$work/$name" "$folder/$name"
            echo "$name: fetched, SHA-256 is right"
            return 0
        fi
        echo "$name: what was fetched has another SHA-256, and is not kept" >&2
    fi
    if [[ -e $folder/$name ]]; then echo "$name: the one in $folder is not the published file" >&2; fi
    cat >&2 <<TEXT
$name: could not be fetched. By hand:
    open      $page
    take      $what
    save it   as $name in $folder
    SHA-256   $sum
TEXT
    return 1
}

case ${1-} in
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        echo "download-data.sh: unknown option $1, expected a folder" >&2
        exit 2
        ;;
esac
if (($# > 1)); then
    echo "download-data.sh: $# arguments, expected one folder at most" >&2
    exit 2
fi

folder=${1:-${RIDGELESS_DATA:-${HOME:?is not set, name a folder}/.local/share/ridgeless/data}}
mkdir -p -- "$folder"
folder=$(cd -- "$folder" && pwd)
work=$(mktemp -d "$folder/.download.XXXXXX") # in the same folder, so that files are moved there in one step
trap 'rm -rf -- "$work"' EXIT

california_url=https://ndownloader.figshare.com/files/5976036
who_repository=RylanSchaeffer/Stanford-AI-Alignment-Double-Descent-Tutorial
who_url="https://raw.githubusercontent.com/$who_repository/HEAD/data/Life%20Expectancy%20Data.csv"
kaggle=lashagoch/life-expectancy-who-updated
who_fixed_url="https://www.kaggle.com/api/v1/datasets/download/$kaggle"
who_fixed_member=Life-Expectancy-Data-Updated.csv

missing=0
obtain cal_housing.data d3d8a1a722ae78f91134862727d27a70b1415e7d512a89140406248687f4b902 \
    "$california_url" \
    'the member CaliforniaHousing/cal_housing.data of the archive (tar -xzf)' || missing=1
obtain life_expectancy_who_rajarshi.csv c3d22755ed3781c3a281d7b60f39f5a474a361e36ac56e84c2a747d8a7e05ec4 \
    "https://github.com/$who_repository" \
    'data/Life Expectancy Data.csv' || missing=1
obtain life_expectancy_who_fixed.csv 7f35f5e5adb1e87454798868e76fec696f7460ed7c19001ec99d196b594290b7 \
    "https://www.kaggle.com/datasets/$kaggle (free login)" \
    "$who_fixed_member of the archive" || missing=1

if ((missing)); then
    echo "download-data.sh: not all files are there; run it again to check those saved by hand" >&2
else
    echo "all files are in $folder"
fi
echo "ridgeless finds them with:  export RIDGELESS_DATA='$folder'"
exit "$missing"
