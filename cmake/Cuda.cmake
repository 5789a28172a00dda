# The CUDA kernels: every .cu of a folder, by nvcc for cards where there is one, and by g++ for the tests' host build. A
# new kernel is found by its file; no list is edited. Without nvcc the library is built without them, and says so when
# a card is asked for.
set(WAJAH_CUDA "AUTO" CACHE STRING "Build the CUDA kernels: AUTO (where nvcc 12.8 or newer is), ON or OFF")
set(WAJAH_CUDA_ARCHITECTURES "80;86;89;90a" CACHE STRING "Cards to build for, by compute capability")

find_program(WAJAH_NVCC nvcc HINTS $ENV{CUDA_PATH}/bin PATHS /usr/local/cuda/bin /opt/cuda/bin)
set(WAJAH_HAVE_CUDA OFF)
if(NOT WAJAH_CUDA STREQUAL "OFF" AND WAJAH_NVCC)
  execute_process(COMMAND ${WAJAH_NVCC} --version OUTPUT_VARIABLE version ERROR_QUIET)
  string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" found "${version}")
  set(WAJAH_CUDA_VERSION "${CMAKE_MATCH_1}")
  # nvcc itself knows where its toolkit lies, wherever a link or a wrapper to it is.
  execute_process(COMMAND ${WAJAH_NVCC} --dryrun -E -x cu /dev/null OUTPUT_QUIET ERROR_VARIABLE dryrun)
  string(REGEX MATCH "#\\$ TOP=([^\n]*)" found "${dryrun}")
  get_filename_component(WAJAH_CUDA_ROOT "${CMAKE_MATCH_1}" REALPATH)
  find_library(WAJAH_CUDART cudart_static HINTS ${WAJAH_CUDA_ROOT}/lib64 ${WAJAH_CUDA_ROOT}/lib)
  if(WAJAH_CUDA_VERSION VERSION_GREATER_EQUAL 12.8 AND WAJAH_CUDART)
    set(WAJAH_HAVE_CUDA ON)
  endif()
endif()
if(WAJAH_HAVE_CUDA)
  list(JOIN WAJAH_CUDA_ARCHITECTURES " sm_" list)
  message(STATUS "CUDA: kernels for sm_${list} by nvcc ${WAJAH_CUDA_VERSION}")
elseif(WAJAH_CUDA STREQUAL "ON")
  message(FATAL_ERROR "CUDA: WAJAH_CUDA=ON, but there is no nvcc 12.8 or newer with its static runtime (found: "
                      "'${WAJAH_NVCC}', version '${WAJAH_CUDA_VERSION}')")
else()
  message(STATUS "CUDA: left out (no nvcc 12.8 or newer, or WAJAH_CUDA=OFF); the kernels' host tests are built")
endif()

function(wajah_add_cuda_kernels target folder)
  if(NOT WAJAH_HAVE_CUDA)
    return()
  endif()
  set(code)
  foreach(architecture IN LISTS WAJAH_CUDA_ARCHITECTURES)
    list(APPEND code -gencode=arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  file(GLOB kernels CONFIGURE_DEPENDS ${folder}/*.cu)
  set(out ${CMAKE_BINARY_DIR}/cuda)
  file(MAKE_DIRECTORY ${out})
  set(logs)
  foreach(kernel IN LISTS kernels)
    get_filename_component(name ${kernel} NAME_WE)
    set(object ${out}/${name}.o)
    # What ptxas says of registers, spills and shared memory stays beside the object, for the table of resources.
    add_custom_command(
      OUTPUT ${object} BYPRODUCTS ${object}.log
      COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/nvcc.sh ${object}.log ${CMAKE_CXX_COMPILER_LAUNCHER} ${WAJAH_NVCC} -c
              ${kernel} -o ${object} -MD -MF ${object}.d -MT ${object} -std=c++20 -O3 ${code} -Xptxas=-v
              -ccbin ${CMAKE_CXX_COMPILER} --expt-relaxed-constexpr -diag-suppress=554 -Werror=all-warnings
              -Xcompiler=-fPIC,-O2 -DWAJAH_KERNEL_ISA=cuda -DWAJAH_KERNEL_CUDA -I${PROJECT_SOURCE_DIR}/include
              -I${PROJECT_SOURCE_DIR}/${folder}
      DEPENDS ${kernel} ${PROJECT_SOURCE_DIR}/cmake/nvcc.sh DEPFILE ${object}.d
      COMMENT "Building CUDA kernel ${name}" VERBATIM)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    target_sources(${target} PRIVATE ${object})
    list(APPEND logs ${object}.log)
  endforeach()
  # kernels/cuda/resources.tsv, renewed by hand: cmake --build build --target cuda_resources
  find_package(Python3 COMPONENTS Interpreter QUIET)
  if(Python3_FOUND)
    set(resources ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/${folder}/resources.py)
    set(table ${WAJAH_CUDA_VERSION} ${PROJECT_SOURCE_DIR}/${folder}/resources.tsv ${logs})
    add_custom_target(cuda_resources COMMAND ${resources} write ${table} DEPENDS ${logs} VERBATIM)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/resources.tsv)
      set_property(GLOBAL PROPERTY WAJAH_CUDA_RESOURCES_CHECK ${resources} check ${table})
    endif()
  endif()
  target_compile_definitions(${target} PUBLIC WAJAH_HAVE_CUDA)
  target_include_directories(${target} SYSTEM PRIVATE ${WAJAH_CUDA_ROOT}/include)
  target_link_libraries(${target} PUBLIC ${WAJAH_CUDART} ${CMAKE_DL_LIBS} rt)
endfunction()

# The same files as plain C++ against tests/cuda_host/, into the namespace cuda_host.
function(wajah_add_host_cuda_kernels target folder)
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cu)
  add_library(${target} OBJECT ${kernels})
  set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++;-Wno-unknown-pragmas;-Wno-psabi")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/${folder}
                                               ${PROJECT_SOURCE_DIR}/tests/cuda_host)
  target_compile_definitions(${target} PRIVATE WAJAH_KERNEL_ISA=cuda_host WAJAH_KERNEL_CUDA)
  target_link_libraries(${target} PRIVATE wajah_warnings Boost::context)
endfunction()
